import { inflateSync } from 'node:zlib'

/** Object number → its text, streams unpacked. As Chromium writes them: no object streams, no encryption. */
function objectsOf(pdf: Buffer): ReadonlyMap<string, string> {
  const text = pdf.toString('latin1')
  return new Map([...text.matchAll(/(?:^|\n)(\d+) 0 obj\n([\s\S]*?)\nendobj/g)].map(([, number = '', body = '']) => [number, unpacked(body)]))
}

function unpacked(body: string): string {
  const [, head = '', data] = /^([\s\S]*?)stream\n([\s\S]*?)\n?endstream/.exec(body) ?? []
  if (data === undefined) return body
  return head + (head.includes('/FlateDecode') ? inflateSync(Buffer.from(data, 'latin1')).toString('latin1') : data)
}

const fromHex = (hex: string): string => Buffer.from(hex, 'hex').swap16().toString('utf16le')

/** What the glyphs of a font stand for: its ToUnicode map, by four hexadecimal digits. */
function glyphsOf(map: string): ReadonlyMap<string, string> {
  const glyphs = new Map<string, string>()
  for (const [, block = ''] of map.matchAll(/beginbfchar\n([\s\S]*?)endbfchar/g)) {
    for (const [, glyph = '', text = ''] of block.matchAll(/<([0-9A-F]{4})> <([0-9A-F]+)>/gi)) glyphs.set(glyph.toUpperCase(), fromHex(text))
  }
  for (const [, block = ''] of map.matchAll(/beginbfrange\n([\s\S]*?)endbfrange/g)) {
    for (const [, from = '', to = '', text = ''] of block.matchAll(/<([0-9A-F]{4})> <([0-9A-F]{4})> <([0-9A-F]{4})>/gi)) {
      const [first, last, code] = [from, to, text].map((one) => Number.parseInt(one, 16)) as [number, number, number]
      for (let at = first; at <= last; at++) glyphs.set(at.toString(16).padStart(4, '0').toUpperCase(), String.fromCharCode(code + at - first))
    }
  }
  return glyphs
}

/** The text of a PDF file that Chromium has made, in the order in which it is drawn; a line for each piece. */
export function textOfPdf(pdf: Buffer): string {
  const objects = objectsOf(pdf)
  const fonts = new Map<string, ReadonlyMap<string, string>>()
  for (const body of objects.values()) {
    for (const [, name = '', number = ''] of body.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
      const map = /\/ToUnicode (\d+) 0 R/.exec(objects.get(number) ?? '')?.[1]
      if (map !== undefined) fonts.set(name, glyphsOf(objects.get(map) ?? ''))
    }
  }
  const lines: string[] = []
  for (const body of objects.values()) {
    for (const [, text = ''] of body.matchAll(/\nBT\n([\s\S]*?)\nET/g)) {
      const glyphs = fonts.get(/\/(F\d+) /.exec(text)?.[1] ?? '')
      const shown = [...text.matchAll(/<([0-9A-F]+)>/gi)].flatMap(([, hex = '']) => hex.toUpperCase().match(/.{4}/g) ?? [])
      lines.push(shown.map((glyph) => glyphs?.get(glyph) ?? '').join(''))
    }
  }
  return lines.join('\n')
}
