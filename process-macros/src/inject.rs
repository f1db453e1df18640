//! The re-emitted function: its author's own, with the helpers in scope of the body.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Signature;

use crate::item::Function;

/// The author's function. Its body is a block inside the one that imports the helpers, so that the author's items
/// shadow helpers of the same name.
pub(crate) fn function(function: &Function, signature: &Signature, helpers: &TokenStream) -> TokenStream {
    let Function { attributes, visibility, body, .. } = function;
    let (inner_attributes, rest) = split_inner_attributes(body);
    let block = quote! {
        #inner_attributes
        #helpers
        #rest
    };
    let mut outer = Group::new(Delimiter::Brace, block);
    outer.set_span(body.span());
    // A process must be async, whether it awaits or not.
    quote! {
        #(#attributes)*
        #[allow(clippy::unused_async)]
        #visibility #signature #outer
    }
}

/// Inner attributes (`#![allow(…)]`) are only accepted at the start of a function's outermost block.
fn split_inner_attributes(body: &Group) -> (TokenStream, Group) {
    let mut trees = body.stream().into_iter().peekable();
    let mut attributes = TokenStream::new();
    let mut rest = TokenStream::new();
    while let Some(tree) = trees.next() {
        let inner = matches!(&tree, TokenTree::Punct(hash) if hash.as_char() == '#')
            && matches!(trees.peek(), Some(TokenTree::Punct(bang)) if bang.as_char() == '!');
        if !inner {
            tree.to_tokens(&mut rest);
            break;
        }
        tree.to_tokens(&mut attributes);
        attributes.extend(trees.next());
        attributes.extend(trees.next());
    }
    rest.extend(trees);
    let mut block = Group::new(Delimiter::Brace, rest);
    // The author did not write these braces: lints about needless ones must not see them.
    block.set_span(Span::call_site().located_at(body.span()));
    (attributes, block)
}
