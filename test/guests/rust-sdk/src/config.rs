use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

pub struct Config {
    pub value: String,
}

impl Context for Config {}

impl HttpContext for Config {
    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.add_http_response_header("x-configured", &self.value);
        Action::Continue
    }
}
