import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMailHost, readMailAddress, readMailAddresses } from '../../../main/api/mail-address.ts'
import type { MailServer } from '../../../main/api/mail-views.ts'
import { sendMail, type Message } from '../../../main/mail/send.ts'
import { mailPassword, mailUser, newCertificate, openMailServer } from './mail-server.ts'

const certificate = newCertificate()
const ports = { trusted: certificate.cert, wholeMs: 4_000, answerMs: 1_500 }
const message: Message = { id: 'run-1', subject: 'Holdfast: “docs” failed', text: 'Übersicht\n.\nend', atMs: Date.UTC(2026, 0, 5) }
const to = (port: number, more: Partial<MailServer> = {}): MailServer => ({ host: 'localhost', port, security: 'starttls', user: mailUser, from: 'holdfast@example.org', to: ['mia@example.org', 'ops@example.net'], ...more })
const fails = (sent: Promise<unknown>, reason: string, passes: boolean) => expect(sent).rejects.toMatchObject({ name: 'MailError', reason, passes })

it.each(['tls', 'starttls'] as const)('a message is sent by %s, to all, as it was written', async (security) => {
  await using server = await openMailServer(certificate, { secure: security === 'tls' })
  expect(await sendMail(to(server.port, { security }), mailPassword, message, ports)).toEqual({ refused: [] })
  expect(server.got).toMatchObject([{ from: 'holdfast@example.org', to: ['mia@example.org', 'ops@example.net'] }])
  const text = server.got[0]?.text
  expect(text).toMatch(/^From: Holdfast <holdfast@example\.org>\r$/m)
  expect(text).toMatch(/^Message-ID: <run-1@holdfast\.invalid>\r$/m)
  expect(text).toMatch(/^Auto-Submitted: auto-generated\r$/m)
  expect(text).toContain('=C3=9Cbersicht')
})

it('a server without TLS is told nothing', async () => {
  await using server = await openMailServer(certificate, { plain: true })
  await fails(sendMail(to(server.port), mailPassword, message, ports), 'no-tls', false)
  expect(server.got).toEqual([])
})

it.each(['tls', 'starttls'] as const)('a certificate that nobody vouches for is not trusted (%s)', async (security) => {
  await using server = await openMailServer(certificate, { secure: security === 'tls' })
  await fails(sendMail(to(server.port, { security }), mailPassword, message, { ...ports, trusted: newCertificate().cert }), 'certificate', false)
  await fails(sendMail(to(server.port, { security, host: '127.0.0.1' }), mailPassword, message, ports), 'certificate', false)
  expect(server.got).toEqual([])
})

it('a wrong password is told from all else', async () => {
  await using server = await openMailServer(certificate)
  await fails(sendMail(to(server.port), 'wrong', message, ports), 'credentials', false)
})

it('a refused recipient is told; the others get it, and with nobody left it has failed', async () => {
  await using server = await openMailServer(certificate, { refuse: 'ops@example.net' })
  expect(await sendMail(to(server.port), mailPassword, message, ports)).toEqual({ refused: ['ops@example.net'] })
  expect(server.got[0]?.to).toEqual(['mia@example.org'])
  await fails(sendMail(to(server.port, { to: ['ops@example.net'] }), mailPassword, message, ports), 'recipient', false)
})

it('a server that is busy may take it later', async () => {
  await using server = await openMailServer(certificate, { busy: 1 })
  await fails(sendMail(to(server.port), mailPassword, message, ports), 'refused', true)
  await sendMail(to(server.port), mailPassword, message, ports)
  expect(server.got.length).toBe(1)
})

describe('a server that says nothing', () => {
  async function silent(onConnection: (socket: Socket) => void) {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      onConnection(socket)
    })
    server.listen(0, 'localhost')
    await once(server, 'listening')
    return { port: (server.address() as AddressInfo).port, sockets, [Symbol.asyncDispose]: async () => { for (const one of sockets) one.destroy(); server.close() } }
  }

  it('is not waited for, nor one that never comes to an end', async () => {
    await using mute = await silent(() => undefined)
    await fails(sendMail(to(mute.port), mailPassword, message, { ...ports, answerMs: 200 }), 'timeout', true)
    await using chatty = await silent((socket) => {
      const timer = setInterval(() => { socket.write('220-still here\r\n') }, 20)
      socket.on('close', () => { clearInterval(timer) })
    })
    await fails(sendMail(to(chatty.port), mailPassword, message, { ...ports, wholeMs: 300 }), 'timeout', true)
    await expect.poll(() => [...chatty.sockets].every((socket) => socket.destroyed)).toBe(true)
  })

  it('is told from one that has the whole message: that one may have taken it', async () => {
    await using server = await openMailServer(certificate, { hang: true })
    await fails(sendMail(to(server.port), mailPassword, message, { ...ports, answerMs: 400 }), 'unsure', false)
  })
})

it('a server that is not there may be later', async () => {
  const gone = await openMailServer(certificate)
  await gone[Symbol.asyncDispose]()
  await fails(sendMail(to(gone.port), mailPassword, message, ports), 'offline', true)
  await fails(sendMail(to(25, { host: 'nowhere.invalid' }), mailPassword, message, ports), 'offline', true)
})

it('nothing in a subject makes a header of its own', async () => {
  await using server = await openMailServer(certificate)
  await sendMail(to(server.port), mailPassword, { ...message, subject: 'a\r\nBcc: evil@example.org\r\n\r\nbody' }, ports)
  expect(server.got[0]?.to.length).toBe(2)
  expect(server.got[0]?.text).not.toMatch(/^Bcc:/mi)
  expect(server.got[0]?.text).toMatch(/^Subject: a Bcc: evil@example\.org body\r$/m)
})

describe('addresses', () => {
  it.each(['mia@example.org', 'mia.m+x@mail.exämple.org', "o'neil@host", 'root@localhost'])('%s is one', (text) => { expect(readMailAddress(` ${text} `)).toBe(text) })
  it.each(['', 'mia', '@example.org', 'mia@', 'a b@example.org', 'a@b@c', 'a@b..c', 'a@b\r\nBcc: x@y', 'Mia <mia@example.org>', 'a@b,c@d', '"a b"@c', `${'a'.repeat(65)}@b`, `a@${'b'.repeat(260)}`, 'a@-b', 'a\u0000@b'])('%j is none', (text) => { expect(readMailAddress(text)).toBeUndefined() })

  it('are read one by one, and none is left out unsaid', () => {
    expect(readMailAddresses('a@b, c@d;\n e@f a@b')).toEqual(['a@b', 'c@d', 'e@f'])
    expect(readMailAddresses('a@b, c')).toBeUndefined()
    expect(readMailAddresses(' , ')).toBeUndefined()
    expect(readMailAddresses(Array.from({ length: 11 }, (_, at) => `a${at}@b`).join(','))).toBeUndefined()
  })

  it('never hold a line break, whatever is typed', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !/[\r\n\0<>, ]/.test(readMailAddress(`${text}@b`) ?? '') && !/[\r\n\0<>, ]/.test(readMailAddress(`a@${text}`) ?? '')))
  })

  it('of hosts are names or numbers', () => {
    for (const host of ['smtp.example.org', '10.0.0.1', '::1', '[::1]', 'nas']) expect(isMailHost(host), host).toBe(true)
    for (const host of ['', 'a b', 'smtp.example.org:25', 'smtp://x', 'a\nb', '-a', 'a/']) expect(isMailHost(host), host).toBe(false)
  })
})
