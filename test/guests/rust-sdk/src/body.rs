use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

pub struct Body {
    pub word: String,
}

impl Context for Body {}

impl HttpContext for Body {
    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_response_header("content-length", None);
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        if !end {
            return Action::Pause;
        }
        let body = self.get_http_response_body(0, size).unwrap_or_default();
        if String::from_utf8_lossy(&body).contains(&self.word) {
            let instead = format!("withheld: {size} bytes\n");
            self.set_http_response_body(0, size, instead.as_bytes());
        }
        Action::Continue
    }
}
