import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The end-to-end tests start servers and workers: more of them at once than cores only makes each slower.
    maxWorkers: 2,
    // .ci/run counts from the JSON file.
    reporters: process.env.CI ? ['default', 'json'] : ['default'],
    outputFile: { json: 'coverage/test-results.json' }
  }
})
