//! What `sluice up` prints once everything runs.

use std::path::Path;

use devhost::Urls;

use super::web::BUILD;

/// The addresses, and how to go on from here.
pub(crate) fn guide(urls: &Urls, state_dir: &Path, default_state_dir: bool) -> String {
    let api = format!("{}/api", urls.http);
    let dir = if default_state_dir { String::new() } else { format!(" --state-dir {}", state_dir.display()) };
    format!(
        "\
Sluice is ready.

  web app         {web}
  API             {api}   (description: {api}/openapi.json)
  sign-in page    {issuer}
  blob storage    {blob}
  state, logs     {state}   (handler.log is what the handler prints)

Upload as the partner skyline, and follow the run:
  ./sluice upload samples/flights/flights-2013-01.csv --to flights/2013-01.csv --wait{dir}

Or with a partner's own tools: ask for an upload URL, then send the file to it.
  URL=$(./sluice grant flights/my.csv{dir})
  curl -T samples/flights/flights-2013-01.csv -H 'x-ms-blob-type: BlockBlob' \"$URL\"
  az storage blob upload --blob-url \"$URL\" --file samples/flights/flights-2013-01.csv     (instead of curl -T)
  azcopy copy samples/flights/flights-2013-01.csv \"$URL\"                                  (against real Azure)

Look on:
  ./sluice runs{dir}                  the newest runs
  ./sluice review list{dir}           held rows that wait for people
  ./sluice local invocations{dir}     what the functions do

Ctrl-C stops it; the state stays (sluice up --fresh forgets it).
",
        web = urls.site.clone().unwrap_or_else(|| format!("not built: {BUILD}, then start again")),
        issuer = urls.issuer,
        blob = urls.blob.as_deref().unwrap_or("none"),
        state = state_dir.display(),
    )
}
