import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { desktopEntry, quoteExec } from '../../../main/system/desktop-entry.ts'

const entry = (command: readonly string[], name = 'Holdfast'): string => desktopEntry({ name, comment: 'Backup', icon: 'holdfast', command })

/** The keys of the only group, values unescaped as the specification says for strings. */
function read(text: string): ReadonlyMap<string, string> {
  const [group, ...lines] = text.split('\n')
  expect(group).toBe('[Desktop Entry]')
  return new Map(lines.filter((line) => line !== '').map((line) => {
    const at = line.indexOf('=')
    const escapes: Readonly<Record<string, string>> = { s: ' ', n: '\n', t: '\t', r: '\r', '\\': '\\' }
    return [line.slice(0, at), line.slice(at + 1).trimStart().replaceAll(/\\(.)/gs, (_all, letter: string) => escapes[letter] ?? `?${letter}`)]
  }))
}

/** What GLib makes of an Exec value: field codes first, then the words as a shell would, without expansions. */
function words(exec: string): readonly string[] {
  const expanded = exec.replaceAll(/%(.)/gs, (_all, code: string) => (code === '%' ? '%' : `{code ${code}}`))
  const found: string[] = []
  const word = /\s*(?:"((?:\\["`$\\]|[^"\\`$])*)"|([^\s"'\\><~|&;$*?#()`]+))/gy
  while (word.lastIndex < expanded.length) {
    const match = word.exec(expanded)
    if (!match) throw new Error(`not to be read: ${expanded}`)
    found.push(match[1]?.replaceAll(/\\(["`$\\])/g, '$1') ?? match[2] ?? '')
  }
  return found
}

// eslint-disable-next-line no-control-regex
const harmful = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Surrogate}/u
const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...' "`$\\%\'<>~|&;*?#()=aä\n\r\t\0\u007f\u0085\u2028') }))

describe('a command in a desktop entry', () => {
  it('is read back as it was, whatever is special in it, on one line of its own', () => {
    const harmless = texts.filter((text) => !harmful.test(text))
    const programs = harmless.filter((text) => text !== '' && !text.includes('='))
    fc.assert(fc.property(programs, fc.array(harmless, { maxLength: 4 }), (program, more) => {
      const text = entry([program, ...more])
      expect(text.split('\n')).toHaveLength(9)
      const keys = read(text)
      expect([...keys.keys()]).toEqual(['Type', 'Name', 'Comment', 'Exec', 'Icon', 'Terminal', 'X-GNOME-Autostart-enabled'])
      expect(words(keys.get('Exec') ?? '')).toEqual([program, ...more])
    }), { numRuns: 500 })
  })

  it('is refused with control characters, in any word, and in the name', () => {
    fc.assert(fc.property(texts.filter((text) => harmful.test(text)), (text) => {
      expect(() => entry([text])).toThrow(expect.objectContaining({ code: 'unsupported' }))
      expect(() => entry(['/usr/bin/holdfast', text])).toThrow(expect.objectContaining({ code: 'unsupported' }))
      expect(() => entry(['/usr/bin/holdfast'], text)).toThrow(expect.objectContaining({ code: 'unsupported' }))
    }), { numRuns: 500 })
    expect(() => quoteExec('/opt/a\nExec=/bin/evil')).toThrow(expect.objectContaining({ code: 'unsupported', data: { reason: 'login-path' } }))
  })

  it('is refused where there is no way to write its program', () => {
    for (const command of [[], [''], ['/opt/a=b/holdfast', '--hidden']]) expect(() => entry(command)).toThrow(expect.objectContaining({ code: 'unsupported' }))
    expect(entry(['/opt/holdfast', '--size=2'])).toContain('Exec=/opt/holdfast --size=2\n')
  })

  it('looks as people write it', () => {
    expect(quoteExec('/usr/bin/x-1.2')).toBe('/usr/bin/x-1.2')
    expect(quoteExec('a b')).toBe('"a b"')
    expect(quoteExec('')).toBe('""')
    expect(quoteExec('50% "$HOME" `x` \\')).toBe('"50%% \\\\"\\\\$HOME\\\\" \\\\`x\\\\` \\\\\\\\"')
    expect(read(entry(['/x'], ' a\\nb')).get('Name')).toBe(' a\\nb')
  })
})
