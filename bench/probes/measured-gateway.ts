/** planegate by its command line, which also tells how much heap it uses. */
import { tellHeap } from './heap-in-use.ts'

tellHeap()
await import('../../src/main.ts')
