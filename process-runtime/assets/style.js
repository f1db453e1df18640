// The place of the element's own style sheet.

export const STYLE = "";
