import { createPrivateKey, createPublicKey } from 'node:crypto'
import { listSegments } from '../../src/audit/format/segments.ts'
import type { AuditOptions } from '../../src/audit/writing/audit-options.ts'

/** An Ed25519 key made of 32 equal bytes: the same in every process. */
export function auditKey(byte: number) {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

/** Signs the checkpoints of all logs here. */
export const AUDIT_KEY = auditKey(1)

/** Options of a log that is signed and otherwise as by default; tests change what they are about. */
export function auditOptions(directory: string, change: Partial<AuditOptions> = {}): AuditOptions {
  return {
    directory,
    success: true,
    limits: true,
    onUnavailable: 'deny',
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    events: { recorded: () => {}, dropped: () => {}, failed: () => {}, restored: () => {}, trouble: () => {} },
    origin: 'api.example.com',
    signing: { privateKey: AUDIT_KEY.privateKey, previous: [] },
    segment: { size: 64 * 1024 * 1024, age: 86_400_000, compressAfter: 3_600_000 },
    checkpoint: { every: 10_000, interval: 30_000 },
    anchor: null,
    pseudonyms: null,
    strict: true,
    ...change,
  }
}

/** Names of the segments in the order in which they were written. */
export async function auditFiles(directory: string): Promise<string[]> {
  return (await listSegments(directory)).segments.map(({ file }) => file)
}
