//! The settings of an application for the languages of its pages.

use super::Builder;

impl Builder {
    /// Adds a language, or overrides texts of an existing one. `json` is an object with a text for each key, as in
    /// the catalogs that the crate includes. A text that depends on a number is an object with one text for each
    /// plural form. Missing texts fall back to English; in a regional variant of an existing language, such as
    /// `de-AT`, they fall back to that language.
    ///
    /// ```
    /// let portuguese = r#"{
    ///     "page.processes": "Processos",
    ///     "log.earlier": { "one": "{n} linha anterior", "other": "{n} linhas anteriores" }
    /// }"#;
    /// let builder = process_runtime::builder().language("pt", portuguese);
    /// ```
    ///
    /// [`build`](Self::build) returns an error for invalid JSON, unknown keys and unknown placeholders.
    pub fn language(mut self, tag: impl Into<String>, json: impl Into<String>) -> Self {
        self.languages.language(tag.into(), json.into());
        self
    }

    /// Replaces one text in one language.
    ///
    /// ```
    /// let builder = process_runtime::builder().text("en", "page.processes", "Jobs");
    /// ```
    pub fn text(mut self, tag: impl Into<String>, key: impl Into<String>, text: impl Into<String>) -> Self {
        self.languages.text(tag.into(), key.into(), text.into());
        self
    }

    /// Sets the language for visitors who request none of the languages offered. Default: English.
    ///
    /// ```
    /// let builder = process_runtime::builder().default_language("de");
    /// ```
    pub fn default_language(mut self, tag: impl Into<String>) -> Self {
        self.languages.default_to(tag.into());
        self
    }

    /// Limits the languages offered to these. If English is not among them, the first is the default.
    ///
    /// ```
    /// let builder = process_runtime::builder().languages(["de", "en"]);
    /// ```
    pub fn languages<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.languages.offer(tags.into_iter().map(Into::into).collect());
        self
    }
}
