/* One file out of a payload part (tar in one zstd frame): fetched, compared with its digest, unpacked here.
   Takes addresses or bytes, gives bytes, or an Error whose message a reader can use. */
import { asset } from "./page.js";

const MOST_PACKED = 64 << 20;
const MOST_UNPACKED = 256 << 20;
const SLICE = 1 << 16;

export async function fetched(url, size) {
  if (!url) throw new Error("This site knows no address of it.");
  if (size > MOST_PACKED) throw new Error("It is too large for a page.");
  const { host } = new URL(url, location);
  const answer = await fetch(url, { credentials: "omit", referrerPolicy: "no-referrer" }).catch(() => ({ status: "nothing" }));
  if (!answer.ok) throw new Error(`${host} gave ${answer.status}.`);
  return answer.arrayBuffer();
}

export async function same(bytes, sha256) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== sha256) throw new Error("These are not the bytes that the entry's record names.");
  return bytes;
}

export async function unpacked(packed, sha256, name) {
  await same(packed, sha256);
  const { Decompress } = await import(asset("js/vendor/fzstd.mjs"));
  const pieces = [];
  let size = 0;
  const stream = new Decompress((piece) => {
    size += piece.length;
    if (size > MOST_UNPACKED) throw new Error("It is too large for a page.");
    pieces.push(piece);
  });
  for (let at = 0; at < packed.byteLength; at += SLICE) {
    stream.push(new Uint8Array(packed.slice(at, at + SLICE)), at + SLICE >= packed.byteLength);
  }
  return member(new Uint8Array(await new Blob(pieces).arrayBuffer()), name);
}

function member(tar, name) {
  const text = (from, to) => new TextDecoder().decode(tar.subarray(from, to)).split("\0")[0];
  for (let at = 0; tar[at]; ) {
    const size = parseInt(text(at + 124, at + 136), 8) || 0;
    if (text(at, at + 100) === name) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error("It holds no steps of this episode.");
}
