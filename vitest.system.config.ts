import { defineConfig } from 'vitest/config';

// Tests that need root or a service manager: npm run test:system. They run one at a time: they share the machine.
export default defineConfig({
  test: {
    include: ['test/system/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
