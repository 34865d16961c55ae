import { readFileSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import type { Plugin } from 'vite'
import type { Message, Messages } from '../../../build/scripts/message-faults.ts'
import { compileMessages } from '../../../build/scripts/messages.ts'
import { root } from '../../../build/scripts/root.ts'

/** Languages that nobody speaks, made of the English texts: one with letters of its own and long words, one that is written from right to left. */
export type Pseudo = 'long' | 'rtl'

const accented: Readonly<Record<string, string>> = {
  a: 'á', b: 'ƀ', c: 'ç', d: 'ð', e: 'é', f: 'ƒ', g: 'ĝ', h: 'ĥ', i: 'í', j: 'ĵ', k: 'ķ', l: 'ļ', m: 'ɱ', n: 'ñ', o: 'ö', p: 'þ', q: 'ɋ', r: 'ŕ', s: 'š', t: 'ţ', u: 'ü', v: 'ṽ', w: 'ŵ', x: 'ẋ', y: 'ý', z: 'ž',
  A: 'Å', B: 'Ɓ', C: 'Ç', D: 'Ð', E: 'É', F: 'Ƒ', G: 'Ĝ', H: 'Ĥ', I: 'Î', J: 'Ĵ', K: 'Ķ', L: 'Ļ', M: 'Ṁ', N: 'Ñ', O: 'Ö', P: 'Þ', Q: 'Ǫ', R: 'Ŕ', S: 'Š', T: 'Ţ', U: 'Û', V: 'Ṽ', W: 'Ŵ', X: 'Ẋ', Y: 'Ý', Z: 'Ž',
}
/** By how much texts of other languages are longer than English ones. */
const longer = 0.4
const override = { begin: '\u202e', end: '\u202c' } as const

/** A text as the language would have it; parameters stay. */
export function pseudoText(text: string, language: Pseudo): string {
  if (text.trim() === '') return text
  if (language === 'rtl') return text.replace(/[^\s{}][^{}]*(?=\{|$)/g, (part) => `${override.begin}${part}${override.end}`)
  const letters = text.split(/(\{\w+\})/).map((part) => (part.startsWith('{') ? part : part.replace(/[A-Za-z]/g, (letter) => accented[letter] ?? letter)))
  const more = Math.ceil(text.replace(/\{\w+\}/g, '').length * longer)
  return `${letters.join('')}${' ïṕšü'.repeat(Math.ceil(more / 5)).slice(0, more)}`
}

function pseudoMessage(message: Message, language: Pseudo): Message {
  if (typeof message === 'string') return pseudoText(message, language)
  const [variants] = message
  return [{ ...variants, match: Object.fromEntries(Object.entries(variants.match).map(([which, text]) => [which, pseudoText(text, language)])) }]
}

/** For a build of the window in such a language. @param folder where its messages are compiled to */
export async function pseudoTexts(language: Pseudo, folder: string): Promise<Plugin> {
  const english = JSON.parse(readFileSync(`${root}/main/text/messages/en.json`, 'utf8')) as Messages
  const messages = Object.fromEntries(Object.entries(english).map(([key, message]) => [key, pseudoMessage(message, language)]))
  await compileMessages({ en: messages }, folder)
  const compiled = `${root}/main/text/compiled${sep}`
  return {
    name: 'pseudo-texts',
    enforce: 'pre',
    resolveId(id, importer) {
      if (importer === undefined || !id.startsWith('.')) return undefined
      const path = resolve(importer, '..', id)
      return path.startsWith(compiled) ? `${folder}/${path.slice(compiled.length)}` : undefined
    },
  }
}
