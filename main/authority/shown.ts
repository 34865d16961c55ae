/** Control characters, line breaks, and what turns the direction of text or hides in it. */
// eslint-disable-next-line no-control-regex
const misleading = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}|[\u{e0000}-\u{e007f}]/gu
const mostLength = 120

/** A path, name or pattern as one line of a question, so that it cannot look like a part of the question or like another one. */
export function shownText(text: string): string {
  const escaped = text.replaceAll(misleading, (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`)
  const half = Math.floor(mostLength / 2)
  return escaped.length <= mostLength ? escaped : `${escaped.slice(0, half)} … ${escaped.slice(-half)}`
}
