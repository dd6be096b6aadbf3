use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

/// Leaves the length alone on purpose: it is the host that corrects it.
pub struct Append {
    pub to_request: bool,
    pub text: String,
}

impl Context for Append {}

impl HttpContext for Append {
    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        if self.to_request && end {
            self.set_http_request_body(size, 0, self.text.as_bytes());
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        if self.to_request {
            return Action::Continue;
        }
        if !end {
            return Action::Pause;
        }
        let mut body = self.get_http_response_body(0, size).unwrap_or_default();
        body.extend_from_slice(self.text.as_bytes());
        self.set_http_response_body(0, size, &body);
        Action::Continue
    }
}
