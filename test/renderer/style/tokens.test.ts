import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const css = await readFile(new URL('../../../renderer/style/tokens.css', import.meta.url), 'utf8')
const light = colours(css.slice(0, css.indexOf("[data-theme='dark']")))
const dark = { ...light, ...colours(css.slice(css.indexOf("[data-theme='dark']"))) }

const surfaces = ['page', 'side', 'surface', 'raised', 'sunken', 'hover', 'selected']
const texts: [text: string, on: string][] = [
  ...['text', 'text-soft'].flatMap((text) => surfaces.map((on): [string, string] => [text, on])),
  ...['text-faint', 'accent', 'good', 'warn', 'bad'].flatMap((text) => ['page', 'surface', 'sunken'].map((on): [string, string] => [text, on])),
  ...['good', 'warn', 'bad', 'info'].flatMap((tone): [string, string][] => [[tone, `${tone}-soft`], ['text-soft', `${tone}-soft`]]),
  ['text-faint', 'side'], ['text-faint', 'selected'], ['accent', 'selected'], ['warn', 'side'], ['bad', 'side'],
  ['on-accent', 'accent-fill'], ['on-accent', 'accent-fill-hover'], ['on-accent', 'bad-fill'],
]
const shapes: [shape: string, on: string][] = [
  ['outline', 'surface'], ['outline', 'sunken'], ['focus', 'page'], ['focus', 'surface'], ['focus', 'raised'], ['focus', 'side'], ['accent-fill', 'surface'],
]

for (const [theme, tokens] of Object.entries({ light, dark })) {
  test.each(texts)(`${theme}: %s on %s can be read (4.5:1)`, (text, on) => {
    expect(contrast(tokens[text], tokens[on])).toBeGreaterThanOrEqual(4.5)
  })

  test.each(shapes)(`${theme}: %s on %s can be seen (3:1)`, (shape, on) => {
    expect(contrast(tokens[shape], tokens[on])).toBeGreaterThanOrEqual(3)
  })
}

function colours(block: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', value = '']) => [name, value]))
}

/** WCAG 2: relative luminances, lighter over darker. */
function contrast(one: string | undefined, other: string | undefined): number {
  if (one === undefined || other === undefined) throw new Error('unknown token')
  const [dim, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (bright + 0.05) / (dim + 0.05)
}

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
