use log::info;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, GrpcStatusCode};
use std::time::Duration;

#[derive(Clone)]
pub struct Grpc {
    pub upstream: String,
    pub method: String,
    pub message: String,
}

impl HttpContext for Grpc {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let timeout = Duration::from_secs(5);
        let message = Some(self.message.as_bytes());
        let Self { upstream, method, .. } = &*self;
        let sent =
            self.dispatch_grpc_call(upstream, "test.Echo", method, vec![], message, timeout);
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

impl Context for Grpc {
    fn on_grpc_call_response(&mut self, _: u32, status: u32, size: usize) {
        if status == 0 {
            let answer = self.get_grpc_call_response_body(0, size).unwrap_or_default();
            info!("May pass: {}", String::from_utf8_lossy(&answer));
            self.resume_http_request();
        } else {
            let (_, reason) = self.get_grpc_status();
            self.deny(&format!("status {status}, {}", reason.unwrap_or_default()));
        }
    }
}

impl Grpc {
    fn deny(&self, reason: &str) {
        info!("May not pass: {reason}");
        let metadata = vec![("x-gate", b"rust".as_slice())];
        self.send_grpc_response(GrpcStatusCode::Aborted, Some("May not pass"), metadata);
    }
}
