//! What the Functions host posts, compiled from the handler's source: the handler as a whole would bring the Azure SDK with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

#[path = "../../handlers/app/src/trigger"]
mod trigger {
    #[allow(dead_code, reason = "a target uses a part of it")]
    pub mod envelope;
    #[allow(dead_code, reason = "a target uses a part of it")]
    pub mod http;
}

use trigger::envelope::{Envelope, peel};
use trigger::http;

const NAMES: [&str; 4] = ["message", "event", "DeliveryCount", "DeadLetterReason"];

fuzz_target!(|data: &[u8]| {
    // What a sender puts on a queue reaches it as it was sent, whatever it is.
    if let Ok(text) = std::str::from_utf8(data) {
        let body = json!({ "Data": { "message": Value::String(Value::from(text).to_string()) } }).to_string();
        let envelope = Envelope::parse(body.as_bytes()).expect("an envelope");
        assert_eq!(envelope.text("message").as_deref(), Ok(text));
    }
    let Ok(envelope) = Envelope::parse(data) else { return };
    for name in NAMES {
        let _ = (envelope.text(name), envelope.metadata(name), envelope.property(name));
        let Ok(payload) = envelope.payload(name) else { continue };
        assert!(payload.is_object() || payload.is_array());
        assert_eq!(peel(&payload).as_ref(), Ok(&payload), "a payload has no more layers");
        if let Ok(request) = http::request(&payload) {
            assert!(request.uri().path().starts_with('/'), "{}", request.uri());
        }
    }
});
