/** One plain text, or several among which one is chosen by what is counted. */
export type Message = string | readonly [Variants]

interface Variants {
  readonly declarations: readonly string[]
  readonly selectors: readonly string[]
  readonly match: Readonly<Record<string, string>>
}

export type Messages = Readonly<Record<string, Message>>

/**
 * What keeps texts of several languages from being compiled: a message that a language lacks or has alone, other parameters than in the language that
 * they are translated from, and a number that a language has no text for. Each fault is a line that names language and message.
 * @param texts content of a file of messages (JSON), by language
 */
export function messageFaults(texts: Readonly<Record<string, string>>, base: string): readonly string[] {
  const files = Object.entries(texts).map(([locale, text]) => ({ locale, text, messages: JSON.parse(text) as Messages }))
  const original = files.find(({ locale }) => locale === base)?.messages ?? {}
  return files.flatMap(({ locale, text, messages }) => [
    ...repeated(text).map((key) => `${locale}: ${key} is there twice`),
    ...Object.keys(original).filter((key) => messages[key] === undefined).map((key) => `${locale}: ${key} is missing`),
    ...Object.entries(messages).flatMap(([key, message]) => {
      const wanted = original[key]
      if (wanted === undefined) return [`${locale}: ${key} is not in ${base}`]
      return faultsOf(message, wanted, locale).map((fault) => `${locale}: ${key} ${fault}`)
    }),
  ])
}

/** JSON takes the last of two, and says nothing. */
function repeated(text: string): readonly string[] {
  const keys = [...text.matchAll(/^ {2}"([^"]+)":/gm)].map(([, key]) => key ?? '')
  return keys.filter((key, at) => keys.indexOf(key) !== at)
}

function faultsOf(message: Message, wanted: Message, locale: string): readonly string[] {
  const [inputs, expected] = [inputsOf(message), inputsOf(wanted)]
  const texts = textsOf(message)
  const known = [...inputs, ...localsOf(message)]
  const used = placeholders(texts)
  return [
    ...(texts.some((text) => text.trim() === '') ? ['is empty'] : []),
    ...(same(inputs, expected) ? [] : [`has the parameters ${named(inputs)}, not ${named(expected)}`]),
    ...(typeof message === 'string' ? [] : used.filter((name) => !known.includes(name)).map((name) => `knows no {${name}}`)),
    ...missingNumbers(message, locale),
  ]
}

/** What a call has to give. */
function inputsOf(message: Message): readonly string[] {
  return typeof message === 'string' ? placeholders([message]) : declared(message, /^input (\w+)$/)
}

function localsOf(message: Message): readonly string[] {
  return typeof message === 'string' ? [] : declared(message, /^local (\w+) = /)
}

function declared([{ declarations }]: readonly [Variants], pattern: RegExp): readonly string[] {
  return declarations.flatMap((line) => pattern.exec(line)?.[1] ?? []).sort()
}

function textsOf(message: Message): readonly string[] {
  return typeof message === 'string' ? [message] : Object.values(message[0].match)
}

function placeholders(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '')))].sort()
}

/** For each plural of a message a text for each kind of number that the language tells apart, in every combination. */
function missingNumbers(message: Message, locale: string): readonly string[] {
  if (typeof message === 'string') return []
  const [{ selectors, match }] = message
  const kinds = new Intl.PluralRules(locale).resolvedOptions().pluralCategories
  const cases = selectors.reduce<readonly (readonly string[])[]>((all, name) => all.flatMap((one) => kinds.map((kind) => [...one, `${name}=${kind}`])), [[]])
  return cases.map((one) => one.join(', ')).filter((one) => match[one] === undefined).map((one) => `has no text for ${one}`)
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.join(' ') === other.join(' ')
}

function named(names: readonly string[]): string {
  return names.length === 0 ? '(none)' : names.join(', ')
}
