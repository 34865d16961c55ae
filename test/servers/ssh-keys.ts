import ssh2 from 'ssh2'

/** A new Ed25519 key. Of those that ssh2 makes, some it cannot read itself (about one in 256: a key that begins with a zero byte). */
export function sshKeyPair(): { readonly public: string, readonly private: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519')
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair
  }
}
