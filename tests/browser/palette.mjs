// How a picture becomes small: the colours that it has most, and each other one as the nearest of them.

import { deflateSync } from "node:zlib";

const COLOURS = 256;

// Runs in a page, which can read a PNG: which colours, as 0xrrggbb, and which of them each pixel has.
async function reduced([source, most]) {
  const image = await createImageBitmap(await (await fetch(source)).blob());
  const { width, height } = image, context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, width, height), counts = new Map(), pixels = new Uint32Array(width * height);
  for (let at = 0; at < data.length; at += 4) {
    const colour = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
    pixels[at / 4] = colour;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette = [...counts].sort(([, one], [, other]) => other - one).slice(0, most).map(([colour]) => colour);
  const apart = (one, other) => [16, 8, 0].reduce((sum, by) => sum + (((one >> by) & 255) - ((other >> by) & 255)) ** 2, 0);
  const nearest = new Map(palette.map((colour, index) => [colour, index]));
  for (const colour of counts.keys()) {
    if (nearest.has(colour)) continue;
    nearest.set(colour, palette.reduce((best, other, index) => (apart(colour, other) < apart(colour, palette[best]) ? index : best), 0));
  }
  const indexes = new Blob([Uint8Array.from(pixels, (colour) => nearest.get(colour))]), reader = new FileReader();
  reader.readAsDataURL(indexes);
  await new Promise((read) => { reader.onload = read; });
  return { width, height, palette, pixels: reader.result.split(",")[1] };
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function chunk(name, data) {
  const named = Buffer.concat([Buffer.from(name, "latin1"), data]), framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  named.copy(framed, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}

/** The same PNG with a palette. `page` is any page that may load `data:`. */
export async function withPalette(page, png) {
  const source = `data:image/png;base64,${png.toString("base64")}`;
  const { width, height, palette, pixels } = await page.evaluate(reduced, [source, COLOURS]);
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 3, 0, 0, 0]); // 8 bits a pixel, with a palette
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  const rows = Buffer.alloc((width + 1) * height); // each begins with its filter, which is none
  Buffer.from(pixels, "base64").forEach((index, at) => { rows[at + Math.floor(at / width) + 1] = index; });
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  return Buffer.concat([signature, chunk("IHDR", head), chunk("PLTE", colours), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}
