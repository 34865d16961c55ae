/** Entry of an engine process: one job for the supervisor that started it. Knows both hosts, see host/port.ts. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { serveSupervisor } = await import('./host/serve.ts')
await serveSupervisor()
