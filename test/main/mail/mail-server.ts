import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A certificate for localhost that signs itself; it is trusted by who is given it. */
export function newCertificate(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-mail-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], { stdio: 'ignore' })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

export const mailUser = 'mia@example.org'
export const mailPassword = 'pässword "of" mail'

export interface TestMail {
  readonly from: string
  readonly to: readonly string[]
  readonly text: string
}

/** A mail server on this machine. `refuse`: an address that it takes nothing for; `hang`: it says nothing any more when it has the message. */
export async function openMailServer(certificate: { readonly key: string; readonly cert: string }, how: { readonly secure?: boolean; readonly plain?: boolean; readonly refuse?: string; readonly hang?: boolean; readonly busy?: number } = {}) {
  const got: TestMail[] = []
  let busy = how.busy ?? 0
  const options: SMTPServerOptions = {
    secure: how.secure ?? false, ...certificate, disabledCommands: how.plain ? ['STARTTLS'] : [], authOptional: false, allowInsecureAuth: how.plain ?? false, logger: false,
    onAuth: ({ username, password }, _session, callback) => { callback(username === mailUser && password === mailPassword ? null : new Error('no'), { user: username }) },
    onRcptTo: ({ address }, _session, callback) => { callback(address === how.refuse ? Object.assign(new Error('nobody'), { responseCode: 550 }) : null) },
    onData(stream, session, callback) {
      let text = ''
      stream.on('data', (part: Buffer) => { text += part.toString() })
      stream.on('end', () => {
        if (how.hang) return
        busy -= 1
        if (busy >= 0) {
          callback(Object.assign(new Error('later'), { responseCode: 451 }))
          return
        }
        got.push({ from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '', to: session.envelope.rcptTo.map(({ address }) => address), text })
        callback()
      })
    },
  }
  const server = new SMTPServer(options)
  server.on('error', () => undefined)
  const listening = server.listen(0, 'localhost')
  await once(listening, 'listening')
  const { port } = listening.address() as AddressInfo
  return { got, port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => { server.close(() => { resolve() }) }) }
}
