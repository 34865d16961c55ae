import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { HoldfastError } from '../../base/errors.ts'
import { networkCauses } from '../http/failure.ts'

/**
 * Node checks the certificate and lets the connection stand either way, so that a refusal can show the fingerprint: nothing may be sent
 * or taken before `expectTrusted` has looked.
 */
export function tlsOptions(host: string): ConnectionOptions {
  return { host, ...(isIP(host) ? {} : { servername: host }), rejectUnauthorized: false }
}

/** `SHA256:…` of the certificate's bytes, as for SSH keys. */
function fingerprintOf(certificate: Buffer): string {
  return `SHA256:${createHash('sha256').update(certificate).digest('base64').replace(/=+$/, '')}`
}

/**
 * The certificate of a connection is the pinned one, or else one that this machine trusts for the host. A connection that resumes a trusted one's
 * session shows none. Resolves to its fingerprint, undefined where none is shown. Errors: denied, with the fingerprint and what to do.
 */
export function expectTrusted(socket: TLSSocket, server: string, pinned: string | undefined): string | undefined {
  const certificate = socket.getPeerCertificate() as { readonly raw?: Buffer } | null
  const shown = certificate?.raw && fingerprintOf(certificate.raw)
  if (socket.isSessionReused() && (shown === undefined || shown === pinned)) return shown
  if (pinned !== undefined) {
    if (shown === pinned) return shown
    throw new HoldfastError('denied', `The server ${server} has another certificate than the address demands: it shows ${shown ?? 'none'}, and fingerprint is ${pinned}. Nothing was sent.`, {
      data: { reason: 'CertificateChanged', advice: 'Compare the fingerprint with one from whoever runs the server. Until they agree, somebody may stand between.' },
    })
  }
  if (socket.authorized) return shown
  const code = String(socket.authorizationError)
  const cause = networkCauses.find(([pattern]) => pattern.test(code))?.[1]
  const own = shown === undefined ? '' : ` If you know that this is the server's certificate, put fingerprint=${shown} into the address.`
  throw new HoldfastError('denied', `${cause?.said ?? 'The storage\'s certificate is not trusted.'} (${server}, ${code}) Its fingerprint is ${shown ?? 'not known'}.`, {
    data: { reason: code, advice: `${cause?.advice ?? ''}${own}`.trim() },
  })
}
