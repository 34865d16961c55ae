/**
 * What a person must see and cannot: control characters (C0, DEL, C1: terminal escapes, line breaks), what turns the direction of text or
 * takes no room, line and paragraph separators, tags, lone surrogates. Joiners stay: names in Persian and emoji are made with them.
 */
const unseen = /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu

/** Text from outside (names, hosts, a storage's words) for a terminal, a notification or the window: one line, nothing hidden; `\x1b`, `\u202e`. */
export function visibleText(text: string): string {
  return text.replace(unseen, (one) => {
    const point = one.codePointAt(0) ?? 0
    if (point < 0x100) return `\\x${hex(point, 2)}`
    return point < 0x10000 ? `\\u${hex(point, 4)}` : `\\u{${hex(point, 1)}}`
  })
}

/** JSON that is the same value and shows a terminal nothing but printable characters. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(unseen, (one) => [...Array(one.length).keys()].map((at) => `\\u${hex(one.charCodeAt(at), 4)}`).join(''))
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
