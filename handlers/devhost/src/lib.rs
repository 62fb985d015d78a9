#![doc = include_str!("../README.md")]

mod body;
mod broker;
mod clock;
mod config;
mod cosmos;
mod envelope;
mod error;
mod events;
mod functions;
mod host;
mod http;
mod invocations;
mod invoker;
mod issuer;
mod journal;
mod leftover;
mod percent;
mod rotating_file;
mod site;
mod state_lock;
mod timers;
mod timespan;
mod worker;

pub use broker::{MAX_MESSAGE_BYTES, PeekedMessage, QueueError, QueueStatus};
pub use config::{
    AzuriteConfig, Config, DEVSTORE_ACCOUNT, DEVSTORE_KEY, EventSubscription, Principal, PrincipalKind, QueueConfig, SiteConfig, Urls,
};
pub use error::{NotReady, StartError};
pub use functions::{AppMistake, AppMistakes};
pub use host::DevHost;
pub use invocations::{Invocation, InvocationCount, InvocationFilter, InvocationLog, InvocationStatus};
pub use worker::{HandlerLevel, HandlerLine, HandlerState};
