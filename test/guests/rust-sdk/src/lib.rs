//! Small filters on the crate proxy-wasm; the first word of the configuration says which one.
//!
//!     hello MILLISECONDS           logs a greeting at the start, and a number at each tick
//!     headers                      logs all headers, and answers /hello itself
//!     body WORD                    withholds bodies of responses that have the word in them
//!     config VALUE                 adds the value to responses, as x-configured
//!     append request|response TEXT puts the text behind the body
//!     auth UPSTREAM                one byte of the upstream decides who may pass
//!     grpc UPSTREAM METHOD MESSAGE the status of a call of test.Echo decides who may pass

mod append;
mod auth;
mod body;
mod config;
mod grpc;
mod headers;
mod hello;

use log::{error, info};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel};
use std::time::Duration;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| Box::new(Root { filter: Filter::Hello(Duration::ZERO) }));
}}

#[derive(Clone)]
enum Filter {
    Hello(Duration),
    Headers,
    Body(String),
    Config(String),
    Append { to_request: bool, text: String },
    Auth(String),
    Grpc(grpc::Grpc),
}

struct Root {
    filter: Filter,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_vm_start(&mut self, _: usize) -> bool {
        info!("Hello from Rust");
        true
    }

    fn on_configure(&mut self, _: usize) -> bool {
        let bytes = self.get_plugin_configuration().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let Some(filter) = read_filter(&text) else {
            error!("Cannot read the configuration {text:?}: it names none of these filters");
            return false;
        };
        if let Filter::Hello(period) = filter {
            self.set_tick_period(period);
        }
        self.filter = filter;
        true
    }

    fn on_tick(&mut self) {
        info!("{}", hello::tick_line());
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(match self.filter.clone() {
            Filter::Hello(_) => Box::new(hello::Hello),
            Filter::Headers => Box::new(headers::Headers { id }),
            Filter::Body(word) => Box::new(body::Body { word }),
            Filter::Config(value) => Box::new(config::Config { value }),
            Filter::Append { to_request, text } => Box::new(append::Append { to_request, text }),
            Filter::Auth(upstream) => Box::new(auth::Auth { upstream }),
            Filter::Grpc(filter) => Box::new(filter),
        })
    }
}

fn read_filter(configuration: &str) -> Option<Filter> {
    let (word, rest) = configuration.split_once(' ').unwrap_or((configuration, ""));
    match word {
        "hello" => Some(Filter::Hello(Duration::from_millis(rest.parse().ok()?))),
        "headers" => Some(Filter::Headers),
        "body" => Some(Filter::Body(rest.into())),
        "config" => Some(Filter::Config(rest.into())),
        "append" => {
            let (direction, text) = rest.split_once(' ')?;
            let to_request = direction == "request";
            (to_request || direction == "response")
                .then(|| Filter::Append { to_request, text: text.into() })
        }
        "auth" => Some(Filter::Auth(rest.into())),
        "grpc" => {
            let (upstream, call) = rest.split_once(' ')?;
            let (method, message) = call.split_once(' ')?;
            Some(Filter::Grpc(grpc::Grpc {
                upstream: upstream.into(),
                method: method.into(),
                message: message.into(),
            }))
        }
        _ => None,
    }
}
