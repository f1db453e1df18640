//! The files that pages load: style sheet, logo, and scripts in every language, with their media types, hashed or
//! stable names, uncompressed and as gzip.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::branding::Brand;
use crate::texts::{Languages, Texts};

mod bundle;

use self::bundle::{Module, bundle, bundles, compact};

macro_rules! modules {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("../assets/", $name)))),*] };
}

/// All scripts; each imports what it needs.
const MODULES: [Module; 29] = modules!(
    "client.js" "connect.js" "copy.js" "document.js" "element.js" "elements.js" "estimate.js" "form.js" "hub.js" "key.js" "line.js" "list.js"
    "looking.js" "log.js" "mistakes.js" "page.js" "panel.js" "process-progress.js" "request.js" "rows.js" "send.js" "start.js" "starting.js" "style.js" "texts.js" "watching.js"
    "window.js" "words.js" "worker.js"
);
const PAGE_CSS: &str = include_str!("../assets/page.css");
const ELEMENT_CSS: &str = include_str!("../assets/element.css");

/// The placeholder that the server replaces.
const STYLE: &str = "const STYLE = \"\";";
const TEXTS: &str = "const TEXTS = { language: \"en\" };";
const OWN_TEXTS: &str = "{ own: \"texts\" }";
const LINE: &str = "\"./line.js\"";
const SENDING: &str = "\"./send.js\"";

/// A file that pages load.
#[derive(Debug)]
pub(crate) struct Asset {
    /// The name in the URL.
    pub(crate) name: String,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Bytes,
    packed: OnceLock<Option<Bytes>>,
    /// Changes with the bytes.
    pub(crate) tag: String,
    /// True if the name contains a hash of the content.
    pub(crate) is_immutable: bool,
}

impl Asset {
    /// A file whose name contains a hash of its content.
    fn hashed(extension: &str, media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let mut asset = Self::named("", media_type, bytes);
        asset.name = format!("{}.{extension}", asset.tag);
        asset.is_immutable = true;
        asset
    }

    /// A file with a stable name, for pages of applications.
    fn named(name: &str, media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let tag = format!("{:016x}", hasher.finish());
        Self { name: name.to_owned(), media_type, bytes, packed: OnceLock::new(), tag, is_immutable: false }
    }

    /// The bytes as gzip, compressed at the first request; `None` if that is not smaller.
    pub(crate) fn packed(&self) -> Option<&Bytes> {
        let packed =
            || gzip(&self.bytes, Compression::best()).filter(|packed| packed.len() < self.bytes.len());
        self.packed.get_or_init(packed).as_ref()
    }
}

const CSS_TYPE: &str = "text/css; charset=utf-8";
const SCRIPT_TYPE: &str = "text/javascript; charset=utf-8";
/// Browsers load none of these; editors do.
const TYPES_TYPE: &str = "text/plain; charset=utf-8";

/// Everything that pages load.
#[derive(Debug)]
pub(crate) struct Assets {
    /// The same in all languages. The first is the style sheet.
    plain: Vec<Asset>,
    logo: Option<Asset>,
    spoken: Vec<Spoken>,
}

/// The scripts in one language.
#[derive(Debug)]
struct Spoken {
    language: String,
    page: Asset,
    watching: Asset,
    starting: Asset,
    sending: Asset,
    component: Asset,
}

impl Assets {
    pub(crate) fn new(languages: &Languages, brand: &Brand) -> Self {
        let line = Asset::hashed("js", SCRIPT_TYPE, bundle(&MODULES, "line.js"));
        let style = Value::from(compact(ELEMENT_CSS)).to_string();
        let line_name = format!("\"./{}\"", line.name);
        let script = |entry: &str| bundle(&MODULES, entry).replace(LINE, &line_name);
        let component = script("process-progress.js").replace(STYLE, &format!("const STYLE = {style};"));
        let (page, [watching, starting, sending]) =
            bundles(&MODULES, "page.js", ["watching.js", "starting.js", "send.js"]);
        let page = page.replace(LINE, &line_name);
        let spoken = languages.offered().map(|texts| {
            let of_all = texts.client(&page);
            let page = Asset::hashed("js", SCRIPT_TYPE, page.replace(TEXTS, &words(&page, texts)));
            let beside = |script: &str| {
                let mut own = texts.client(script);
                if let (Value::Object(own), Value::Object(of_all)) = (&mut own, &of_all) {
                    own.retain(|key, _| !of_all.contains_key(key));
                }
                let page = format!("\"./{}\"", page.name);
                let script = script.replace(OWN_TEXTS, &own.to_string()).replace("\"./page.js\"", &page);
                Asset::hashed("js", SCRIPT_TYPE, script)
            };
            let (watching, sending) = (beside(&watching), beside(&sending));
            let starting = beside(&starting.replace(SENDING, &format!("\"./{}\"", sending.name)));
            let component = component.replace(TEXTS, &words(&component, texts));
            Spoken {
                language: texts.tag().to_owned(),
                page,
                watching,
                starting,
                sending,
                component: Asset::named("process-progress.js", SCRIPT_TYPE, component),
            }
        });
        let spoken = spoken.collect();
        let types = |name, text: &str| Asset::named(name, TYPES_TYPE, text.to_owned());
        // Slotted content looks like the element's own. Rules outside a cascade layer override those in one, so an
        // application's rules always apply.
        let own = compact(&[ELEMENT_CSS, PAGE_CSS].concat());
        let plain = vec![
            Asset::hashed("css", CSS_TYPE, format!("@layer process {{\n{own}\n}}\n{}", brand.css)),
            Asset::named("client.js", SCRIPT_TYPE, script("client.js")),
            types("client.d.ts", include_str!("../assets/client.d.ts")),
            types("process-progress.d.ts", include_str!("../assets/process-progress.d.ts")),
            line,
        ];
        let logo = brand.logo.as_ref().map(|logo| {
            let (extension, media_type) = logo.kind();
            Asset::hashed(extension, media_type, logo.bytes.clone())
        });
        Self { plain, logo, spoken }
    }

    /// The name of the style sheet.
    pub(crate) fn css(&self) -> &str {
        self.plain.first().map_or("", |css| &css.name)
    }

    /// The name of the logo, if there is one.
    pub(crate) fn logo(&self) -> Option<&str> {
        self.logo.as_ref().map(|logo| logo.name.as_str())
    }

    /// The name of the pages' script in this language.
    pub(crate) fn script(&self, texts: &Texts) -> &str {
        self.speaking(texts).map_or("", |spoken| &spoken.page.name)
    }

    /// The name of the additional script for the page of a run.
    pub(crate) fn watching(&self, texts: &Texts) -> &str {
        self.speaking(texts).map_or("", |spoken| &spoken.watching.name)
    }

    /// The name of the additional script for pages with a form.
    pub(crate) fn starting(&self, texts: &Texts) -> &str {
        self.speaking(texts).map_or("", |spoken| &spoken.starting.name)
    }

    /// The file with this name; if it contains texts, in this language.
    pub(crate) fn find(&self, name: &str, texts: &Texts) -> Option<&Asset> {
        let component = self.speaking(texts).map(|spoken| &spoken.component);
        let pages = self
            .spoken
            .iter()
            .flat_map(|spoken| [&spoken.page, &spoken.watching, &spoken.starting, &spoken.sending]);
        self.plain.iter().chain(&self.logo).chain(pages).chain(component).find(|asset| asset.name == name)
    }

    fn speaking(&self, texts: &Texts) -> Option<&Spoken> {
        self.spoken.iter().find(|spoken| spoken.language == texts.tag())
    }
}

/// All scripts, as they are written.
#[cfg(test)]
pub(crate) fn scripts() -> String {
    MODULES.iter().map(|(_, text)| *text).collect()
}

/// The texts that a script uses.
fn words(script: &str, texts: &Arc<Texts>) -> String {
    let mut words = texts.client(script);
    words["language"] = texts.tag().into();
    format!("const TEXTS = {words};")
}

/// A page as gzip: it is compressed for each request, so quickly.
pub(crate) fn packed_page(html: &[u8]) -> Option<Bytes> {
    gzip(html, Compression::new(4))
}

fn gzip(bytes: &[u8], level: Compression) -> Option<Bytes> {
    let mut packed = GzEncoder::new(Vec::new(), level);
    packed.write_all(bytes).ok()?;
    packed.finish().ok().map(Bytes::from)
}
