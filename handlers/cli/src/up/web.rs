//! The web app of a local Sluice: what was built, told where everything is.

use std::path::Path;

use devhost::SiteConfig;
use serde_json::json;

/// Port of the site, as the Static Web Apps CLI chooses it.
pub(super) const PORT: u16 = 4280;
/// The built app below the application's root.
const FOLDER: &str = "web/dist";
/// Client id of the web app at the local issuer; it stands for no real one.
const CLIENT_ID: &str = "5102ce00-0000-4000-8000-00000000de41";

/// How the folder is made.
pub(super) const BUILD: &str = "npm ci --prefix web && npm run build --prefix web";

/// The site, if it is built.
pub(super) fn site(app_root: &Path, port: u16, audience: &str) -> Option<SiteConfig> {
    let folder = app_root.join(FOLDER);
    if !folder.join("index.html").is_file() {
        return None;
    }
    let config = json!({
        "api": "{http_url}/api",
        "issuer": "{issuer_url}",
        "clientId": CLIENT_ID,
        "scope": format!("openid profile offline_access {audience}/.default"),
    });
    Some(SiteConfig { folder, port, config })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_app_is_served_once_it_is_built() {
        let root = tempfile::tempdir().unwrap();
        assert!(site(root.path(), PORT, "api://sluice").is_none());
        std::fs::create_dir_all(root.path().join(FOLDER)).unwrap();
        std::fs::write(root.path().join(FOLDER).join("index.html"), "<h1>").unwrap();
        let site = site(root.path(), PORT, "api://sluice").unwrap();
        assert_eq!(site.config["scope"], "openid profile offline_access api://sluice/.default");
    }
}
