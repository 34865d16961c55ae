import { connect, isIP, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { createTransport } from 'nodemailer'
import type { MailReason, MailServer } from '../api/mail-views.ts'

export interface Message {
  /** The same for the same message, so that a receiver can tell it from another. */
  readonly id: string
  readonly subject: string
  readonly text: string
  readonly atMs: number
}

export interface SendPorts {
  /** ms for the whole of it, and for each answer. */
  readonly wholeMs?: number
  readonly answerMs?: number
  /** Gives up what is not yet done. */
  readonly signal?: AbortSignal
  /** Certificates that are trusted in place of the system's. */
  readonly trusted?: string
}

export interface Sent {
  /** Addresses that the server did not take. */
  readonly refused: readonly string[]
}

/** What went wrong, as a code: what a server says may quote who asked. */
export class MailError extends Error {
  override readonly name = 'MailError'
  readonly reason: MailReason
  readonly passes: boolean

  /** @param passes another try may help */
  constructor(reason: MailReason, passes: boolean, cause?: unknown) {
    super(`the message was not sent: ${reason}`, { cause })
    this.reason = reason
    this.passes = passes
  }
}

/** Sends one message, within a bounded time. Errors: MailError; after `unsure` it may have arrived all the same. */
export async function sendMail(server: MailServer, password: string | undefined, message: Message, { wholeMs = 60_000, answerMs = 20_000, trusted, signal }: SendPorts = {}): Promise<Sent> {
  const { raw, envelope } = await composed(server, message)
  const progress = { given: false }
  const body = Readable.from([raw])
  body.once('end', () => { progress.given = true })
  const connection = new AbortController()
  const late = setTimeout(() => { connection.abort(new MailError('timeout', true)) }, wholeMs)
  const giveUp = (): void => { connection.abort(new MailError('offline', true)) }
  signal?.addEventListener('abort', giveUp, { once: true })
  if (signal?.aborted === true) giveUp()
  try {
    const socket = await connected(server, connection.signal, answerMs)
    connection.signal.addEventListener('abort', () => { socket.destroy(connection.signal.reason as Error) }, { once: true })
    const transport = createTransport({
      host: server.host, port: server.port, secure: server.security === 'tls', requireTLS: true,
      getSocket: (_options, callback) => { callback(null, { connection: socket }) },
      tls: { minVersion: 'TLSv1.2', ...(isIP(server.host) === 0 && { servername: server.host }), ...(trusted !== undefined && { ca: trusted }) },
      ...(server.user !== undefined && { auth: { user: server.user, pass: password ?? '' } }),
      greetingTimeout: answerMs, socketTimeout: answerMs, connectionTimeout: answerMs, dnsTimeout: answerMs, disableFileAccess: true, disableUrlAccess: true,
      // The name of this computer is nobody's business there.
      name: 'holdfast.invalid',
    })
    const { rejected } = await transport.sendMail({ envelope, raw: body })
    socket.destroy()
    return { refused: rejected }
  } catch (error) {
    throw refusalOf(connection.signal.aborted ? connection.signal.reason : error, progress.given)
  } finally {
    clearTimeout(late)
    signal?.removeEventListener('abort', giveUp)
    connection.abort()
  }
}

/** The message as it goes over the wire: headers are made here, by what knows how to write them, and from nothing but checked parts. */
async function composed({ from, to }: MailServer, { id, subject, text, atMs }: Message) {
  const { message, envelope } = await createTransport({ streamTransport: true, buffer: true, newline: 'windows' }).sendMail({
    from: { name: 'Holdfast', address: from }, to: [...to], subject: subject.replace(/\p{Cc}+/gu, ' '), text, date: new Date(atMs), messageId: `<${id}@holdfast.invalid>`,
    headers: { 'Auto-Submitted': 'auto-generated' }, disableFileAccess: true, disableUrlAccess: true,
  })
  if (!Buffer.isBuffer(message)) throw new Error('the message was not composed')
  return { raw: message, envelope }
}

function connected({ host, port }: MailServer, signal: AbortSignal, answerMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port })
    const late = setTimeout(() => { socket.destroy(new MailError('timeout', true)) }, answerMs)
    const end = (): void => { socket.destroy(signal.reason as Error) }
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    // Whoever takes the socket over listens too; nobody listening would end the app.
    socket.on('error', (error) => {
      clearTimeout(late)
      reject(error)
    })
    socket.once('connect', () => {
      clearTimeout(late)
      signal.removeEventListener('abort', end)
      resolve(socket)
    })
  })
}

const certificateCodes = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$|ERR_SSL|ERR_TLS)/

function refusalOf(error: unknown, given: boolean): MailError {
  const { code, command, responseCode, cause } = fieldsOf(error)
  // All of it was given, and no answer came: whether it was taken cannot be known.
  if (given && responseCode === undefined) return new MailError('unsure', false, error)
  if (error instanceof MailError) return error
  const passes = responseCode !== undefined && responseCode >= 400 && responseCode < 500
  if (certificateCodes.test(code) || certificateCodes.test(fieldsOf(cause).code) || /certificate/i.test(messageOf(error))) return new MailError('certificate', false, error)
  switch (code) {
    case 'ETLS':
      return new MailError('no-tls', false, error)
    case 'EAUTH':
    case 'ENOAUTH':
      // Where the server says so itself, the password may be right.
      return new MailError('credentials', passes, error)
    case 'EENVELOPE':
      return new MailError(command === 'MAIL FROM' ? 'sender' : command === 'RCPT TO' ? 'recipient' : 'refused', passes, error)
    case 'EMESSAGE':
      return new MailError('refused', passes, error)
    case 'ETIMEDOUT':
      return new MailError('timeout', true, error)
    default:
      return new MailError('offline', true, error)
  }
}

interface ErrorFields {
  readonly code: string
  readonly command: string
  readonly responseCode: number | undefined
  readonly cause: unknown
}

function fieldsOf(error: unknown): ErrorFields {
  const { code, command, responseCode, cause } = typeof error === 'object' && error !== null ? (error as Readonly<Record<string, unknown>>) : {}
  return { code: typeof code === 'string' ? code : '', command: typeof command === 'string' ? command : '', responseCode: typeof responseCode === 'number' ? responseCode : undefined, cause }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
