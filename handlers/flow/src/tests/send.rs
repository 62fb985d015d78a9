//! What the handler calls can move between threads: a service spawns it.

use sluice_contract::Sources;

use crate::{
    Context, Message, RunId, audit::Actor, layout, pipelines, raw::Raw, rejected, reviews, rows, run::Run, runs, segments, steps,
    submissions,
};

fn send<F: Future + Send>(_: F) {}

/// Never called: that it compiles is the test.
#[expect(dead_code, reason = "that it compiles is the test")]
fn futures_are_send(
    context: &Context,
    message: &Message,
    run: &Run,
    id: &RunId,
    actor: &Actor,
    event: &steps::admit::BlobEvent,
    sources: &Sources<'_>,
) {
    send(layout::effective_chunks(context, run));
    send(segments::all(context, run));
    send(Raw::open(context, run, 0..1));
    send(context.plans.of_run(context, run));
    send(steps::move_::run(context, message.clone()));
    send(steps::seal::run(context, message.clone()));
    send(steps::transform::run(context, message.clone()));
    send(steps::gather::run(context, message.clone()));
    send(steps::admit::run(context, event));
    send(steps::sweep::run(context));
    send(steps::dispatch(context, message.clone()));
    send(pipelines::put(context, "", sources));
    send(pipelines::put_table(context, "", "", bytes::Bytes::new()));
    send(pipelines::dry_run(context, sources, pipelines::Sample::Run(id.clone()), 1));
    send(reviews::claim(context, actor, ""));
    let request = reviews::DecisionRequest {
        verdict: crate::review::Verdict::Approve,
        rows: Default::default(),
        comment: String::new(),
        digest: String::new(),
    };
    send(reviews::decide(context, actor, "", request));
    send(reviews::list(context, &reviews::CaseFilter::default(), None, 1));
    send(reviews::rows(context, "", None, 1));
    send(reviews::release(context, actor, "", false));
    send(runs::chunks(context, id, None, 1));
    send(runs::cancel(context, actor, id));
    send(runs::resume(context, actor, id));
    send(runs::reprocess(context, actor, id));
    send(rejected::stream(context, run, rejected::Cells::AsSent));
    send(rows::explain(context, run, 0));
    send(submissions::find(context, None, ""));
}
