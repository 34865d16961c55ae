import { describe, expect, it } from 'vitest'
import { isWordAt, readRecoveryWords, recoveryProblem, recoveryWords } from '../../../engine/protocol/recovery-words.ts'

/** From the test vectors of BIP 39. */
const vectors = [
  ['00000000000000000000000000000000', 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about'],
  ['7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f', 'legal winner thank year wave sausage worth useful legal winner thank yellow'],
  ['9e885d952ad362caeb4efe34a8e91bd2', 'ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic'],
] as const
const [, , [, words]] = vectors

describe('recovery words', () => {
  it.each(vectors)('%s', (entropy, text) => {
    expect(recoveryWords(Buffer.from(entropy, 'hex'))).toBe(text)
    expect(readRecoveryWords(text)).toEqual({ ok: true, words: text })
  })

  it.each([
    '  OZONE Drill\tgrab\nfiber\r\ncurtain grace, pudding; thank cruise elder eight picnic ',
    '1. ozone 2. drill 3. grab 4. fiber 5. curtain 6. grace 7. pudding 8. thank 9. cruise 10. elder 11. eight 12. picnic',
    'ozon dril grab fibe curt grac pudd than crui elde eigh picn',
    'ozóne drìll gräb fibér curtain grâce pudding thánk cruise eldèr eight picnic',
    'ｏｚｏｎｅ drill grab fiber curtain grace pudding thank cruise elder eight picnic',
    'oz dril grab fibe curta grac pud than crui eld eigh picn',
  ])('are read as they are typed: %s', (typed) => {
    expect(readRecoveryWords(typed)).toEqual({ ok: true, words })
  })

  it.each([
    ['', 'count', 0],
    ['correct horse battery staple', 'count', 4],
    [`${words} picnic`, 'count', 13],
    [words.replace('grab', 'grabb'), 'word', 3],
    [words.replace('grab', 'gra-b'), 'count', 13],
    // Several words begin so.
    [words.replace('ozone', 'o'), 'word', 1],
    [words.replace('ozone drill', 'drill ozone'), 'checksum', 0],
    [words.replace('picnic', 'picture'), 'checksum', 0],
  ] as const)('what is wrong is told by its place: %s', (typed, problem, at) => {
    const read = readRecoveryWords(typed)
    expect(read).toEqual({ ok: false, problem, at })
    if (read.ok) return
    for (const word of typed.split(/\W+/).filter((part) => part.length > 4)) expect(recoveryProblem(read)).not.toContain(word)
  })

  it('some are asked back', () => {
    expect([isWordAt(words, 3, ' Grab '), isWordAt(words, 1, 'ozon'), isWordAt(words, 3, 'fiber'), isWordAt(words, 3, ''), isWordAt(words, 3, 'grab grab'), isWordAt(words, 13, '')]).toEqual([true, true, false, false, false, false])
  })
})
