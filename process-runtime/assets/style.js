// A placeholder for the element's style sheet.

export const STYLE = "";
