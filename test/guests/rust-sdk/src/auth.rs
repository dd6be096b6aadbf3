use log::info;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use std::time::Duration;

pub struct Auth {
    pub upstream: String,
}

impl HttpContext for Auth {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let headers =
            vec![(":method", "GET"), (":path", "/bytes/1"), (":authority", self.upstream.as_str())];
        let timeout = Duration::from_secs(5);
        let sent = self.dispatch_http_call(&self.upstream, headers, None, vec![], timeout);
        if let Err(status) = sent {
            self.deny(&format!("the call was refused with status {}", status as u32));
        }
        Action::Pause
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_response_header("x-gate", Some("rust"));
        Action::Continue
    }
}

impl Context for Auth {
    fn on_http_call_response(&mut self, _: u32, headers: usize, size: usize, _: usize) {
        if headers == 0 {
            return self.deny("the call has failed");
        }
        match self.get_http_call_response_body(0, size).as_deref() {
            Some([first, ..]) if first % 2 == 0 => {
                info!("May pass");
                self.resume_http_request();
            }
            _ => self.deny("the byte is odd"),
        }
    }
}

impl Auth {
    fn deny(&self, reason: &str) {
        info!("May not pass: {reason}");
        let headers = vec![("x-gate", "rust")];
        self.send_http_response(403, headers, Some(b"May not pass\n"));
    }
}
