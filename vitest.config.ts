import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The end-to-end tests start servers and workers: more of them at once than cores only makes each slower.
    maxWorkers: 2
  }
})
