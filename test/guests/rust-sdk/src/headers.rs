use log::info;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

pub struct Headers {
    pub id: u32,
}

impl Context for Headers {}

impl HttpContext for Headers {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.log_all(">", self.get_http_request_headers_bytes());
        if self.get_http_request_header(":path").as_deref() != Some("/hello") {
            return Action::Continue;
        }
        let headers = vec![("x-answered-by", "rust")];
        self.send_http_response(200, headers, Some(b"Hello from Rust\n"));
        Action::Pause
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.log_all("<", self.get_http_response_headers_bytes());
        Action::Continue
    }

    fn on_log(&mut self) {
        info!("#{} is over", self.id);
    }
}

impl Headers {
    fn log_all(&self, direction: &str, headers: Vec<(String, Vec<u8>)>) {
        for (name, value) in headers {
            // The SDK's texts are UTF-8 or a panic; a header may be any bytes.
            let value = String::from_utf8_lossy(&value);
            info!("#{} {direction} {name}: {value}", self.id);
        }
    }
}
