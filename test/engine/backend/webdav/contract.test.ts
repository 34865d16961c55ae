import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { davPassword, davUser, startWebDav } from '../../../servers/webdav.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

for (const kind of ['nginx', 'apache', 'rclone'] as const) {
  backendContract(`WebDAV (${kind})`, async () => {
    const server = await startWebDav(kind)
    return {
      open: () => openBackend(`webdav:${server.origin}/some/Ordner%20%C3%A9?user=${davUser}`, { credentials: fixedCredentials({ password: davPassword }), signal: never }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  })
}
