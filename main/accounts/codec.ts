import type { TokenCodec } from '../../engine/accounts/account-file.ts'
import type { SecretCipher } from '../settings/ciphers.ts'

/** Tokens under the ciphers of the other secrets. @param ciphers the first one seals what is new; the others open what they sealed before. */
export function sealedCodec(ciphers: readonly [SecretCipher, ...SecretCipher[]]): TokenCodec {
  const [current] = ciphers
  return {
    seal: (text) => `${current.kind}:${Buffer.from(current.seal(text)).toString('base64')}`,
    open(sealed) {
      const [kind, bytes = ''] = sealed.split(':', 2)
      try {
        return ciphers.find((one) => one.kind === kind)?.open(Buffer.from(bytes, 'base64'))
      } catch {
        // The reason may quote the tokens; that they cannot be opened is all there is to say.
        return undefined
      }
    },
  }
}
