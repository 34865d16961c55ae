import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Redactor, type Known } from '../../../main/support/redact.ts'

const known: Known = {
  secrets: ['tulip "gravel" ömen', 'kept/secret+key=0123', 'pw1', 'https://hc.example/b7a1-t0ken'],
  folders: ['/home/mia/Tax papers', '/media/mia/Blue Disk', '/home/mia'],
  jobs: ['Divorce', 'docs'],
  names: ['mia-laptop', 'mia', 'my-bucket'],
}
const redact = (text: string, keepsNames = false): string => new Redactor(known, keepsNames).text(text)

it('takes known secrets out, however they are spelled', () => {
  for (const secret of known.secrets) {
    const spelled = [secret, JSON.stringify(secret), JSON.stringify(JSON.stringify(secret)), encodeURIComponent(secret), encodeURIComponent(secret).toLowerCase(), new URLSearchParams({ x: secret }).toString(), Buffer.from(secret).toString('base64'), Buffer.from(`user:${secret}`).toString('base64'), Buffer.from(secret).toString('hex')]
    for (const one of spelled) if (secret.length > 3 || one === secret) {
      const text = redact(`before ${one} after`)
      expect(text, one).toContain('‹secret›')
      expect(text, one).not.toContain(one)
      expect(text).toMatch(/^before .* after$/)
    }
  }
})

it('finds a secret anywhere in longer base64', () => {
  fc.assert(fc.property(fc.string({ minLength: 8, maxLength: 40 }), fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (secret, before, after) => {
    const redactor = new Redactor({ ...known, secrets: [secret] }, true)
    const text = redactor.text(Buffer.from(before + secret + after).toString('base64'))
    expect(text).toContain('‹secret›')
  }))
})

it.each([
  ['an address', 'PUT https://mia:pw@s3.eu.example.com:9000/my-bucket/x?X-Amz-Signature=abc#f failed', 'PUT https://‹address 1› failed'],
  ['an address with an @ in its password', 'sftp://u:p@ss@nas.local/backup', 'sftp://‹address 1›'],
  ['a path that is known, and what lies in it', '“/home/mia/Tax papers/2025: final.pdf” cannot be read (EACCES)', '“‹folder 1›” cannot be read (EACCES)'],
  ['one that is not', "ENOENT: no such file or directory, open '/srv/x y/z'", "ENOENT: no such file or directory, open '‹name 1›'"],
  ['a path without quotes, but for the code', 'cannot read /srv/x y/z: is locked (EBUSY)', 'cannot read ‹folder 1› EBUSY'],
  ['a Windows path', 'cannot read C:\\Users\\Mia\\x.txt', 'cannot read ‹folder 1›'],
  ['a name in quotes', 'asked: Forget “Summer 2020”?', 'asked: Forget “‹name 1›”?'],
  ['a job', 'the job Divorce was late', 'the job ‹job 1› was late'],
  ['hosts and computers', 'connect ECONNREFUSED 192.168.1.20:9000 from mia-laptop by way of nas.fritz.box', 'connect ECONNREFUSED ‹host 1›:9000 from ‹name 1› by way of ‹host 2›'],
  ['an IPv6 address', 'connect to fe80::1ff:fe23:4567:890a%eth0 and [2001:db8::1]:443', 'connect to ‹host 1› and ‹host 2›:443'],
  ['an e-mail address', 'signed in as mia.m+x@mail.example', 'signed in as ‹e-mail 1›'],
  ['a header', 'authorization: Bearer ya29.A0ARrdaM-x_1', 'authorization: ‹secret›'],
  ['what is called a secret', 'token=abc, password: "x y", AccountKey=q1w2==;', 'token=‹secret›, password: ‹secret›, AccountKey=‹secret›;'],
  ['a long word', 'got AQoDYXdzEJr1K0example5tUv9', 'got ‹secret›'],
  ['words of a kit', 'typed: abandon ability able about above absent absorb abstract absurd abuse access accident', 'typed: ‹secret›'],
])('takes out %s', (_name, text, expected) => { expect(redact(text)).toBe(expected) })

it.each([
  'Holdfast 0.1.0 has started', 'the storage answered with 503, trying again in 2 s', 'the snapshot is complete', 'asking for one more transfer: 3 of 8',
  'pack 5f1c0000aa0f4e0b8c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7 uploaded', 'run 3b1f0c8e-4b7a-4f0e-9a54-0d7c1c5a7c11 ended', "it isn't there, and can't be read", 'the repository cannot be reached',
  'at run (main.cjs:120:4)', 'took 18:06:37', '40 % of 1/3',
])('leaves what is nobody’s secret: %s', (text) => { expect(redact(text)).toBe(text) })

describe('the same thing', () => {
  it('has the same mark everywhere, and another thing another', () => {
    const redactor = new Redactor(known, false)
    expect(redactor.text('open “/home/mia/Tax papers/a”')).toBe('open “‹folder 1›”')
    expect(redactor.text('open “/home/mia/Tax papers/b”')).toBe('open “‹folder 2›”')
    expect(redactor.text('close “/home/mia/Tax papers/a”')).toBe('close “‹folder 1›”')
    expect(redactor.name('folder', '/home/mia/Tax papers/b')).toBe('‹folder 2›')
  })
})

it('keeps names of folders where somebody wants that, and nothing else', () => {
  expect(redact('cannot read “/home/mia/Tax papers/a.pdf” of Divorce on nas.fritz.box with tulip "gravel" ömen', true)).toBe('cannot read “/home/‹name 1›/Tax papers/a.pdf” of Divorce on ‹host 1› with ‹secret›')
})
