// Keys that make a repeated start one start.

/** A new key; `randomUUID` is missing on pages over plain HTTP. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
