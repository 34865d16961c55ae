import { NextcloudServer } from '../servers/nextcloud.ts'
import { davPassword, davUser, startWebDav } from '../servers/webdav.ts'
import { destinationJourney } from '../suites/journey.ts'

for (const kind of ['nginx', 'apache'] as const) {
  destinationJourney(`WebDAV (${kind})`, async () => {
    const server = await startWebDav(kind)
    return { address: `webdav:${server.origin}/Ordner%20%C3%A9?user=${davUser}`, credentials: { password: davPassword }, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  })
}

destinationJourney('WebDAV (Nextcloud, stand-in)', async () => {
  const server = await NextcloudServer.start()
  return {
    address: `webdav:${server.origin}/remote.php/dav/files/anna/backup?user=anna`, credentials: { password: 'app-password' },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
