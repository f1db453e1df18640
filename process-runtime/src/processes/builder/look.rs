//! What an application says about the look of its pages.

use super::Builder;
use crate::branding::Branding;
use crate::layout::{Layout, Page};

impl Builder {
    /// Gives the pages a name, a logo and colours.
    ///
    /// ```
    /// use process_runtime::Branding;
    ///
    /// let builder = process_runtime::builder().branding(Branding::new().title("Shop").accent("#0a7d55"));
    /// ```
    pub fn branding(mut self, branding: Branding) -> Self {
        self.branding = branding;
        self
    }

    /// Puts pages into a layout of one's own: what this function returns is sent as the page.
    ///
    /// ```
    /// # fn escaped(text: &str) -> String { text.replace('&', "&amp;").replace('<', "&lt;") }
    /// let builder = process_runtime::builder().layout(|page| {
    ///     format!(
    ///         r##"<!DOCTYPE html>
    /// <html lang="{}" dir="{}">
    ///   <head>
    ///     <meta charset="utf-8">
    ///     <meta name="viewport" content="width=device-width, initial-scale=1">
    ///     <title>{} – Shop</title>
    ///     {}
    ///     <link rel="stylesheet" href="/shop.css">
    ///   </head>
    ///   <body>
    ///     <a class="skip" href="#main">Skip to content</a>
    ///     <header><a href="/">Shop</a></header>
    ///     <main id="main">{}</main>
    ///   </body>
    /// </html>"##,
    ///         page.language(), page.direction(), escaped(page.title()), page.head(), page.content(),
    ///     )
    /// });
    /// ```
    ///
    /// It is used for every page, also for those of problems, and never for JSON, streams and downloads. A page of one's
    /// own is made from [`Page::data`] instead of [`Page::content`].
    ///
    /// What it returns is trusted: it escapes what it puts into HTML beside the page's markup. The headers stay, and
    /// with them the content security policy: scripts, styles and pictures come from this origin and are files,
    /// `<style>` and `style="…"` have no effect, and scripts may not write `innerHTML`. Style sheets without a
    /// cascade layer win over ours. A layout that panics is left out, and the log says so.
    pub fn layout(mut self, layout: impl Fn(&Page<'_>) -> String + Send + Sync + 'static) -> Self {
        self.layout = Some(Layout::new(layout));
        self
    }
}
