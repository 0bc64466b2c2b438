// Property tests draw the same inputs in every run, so that a red run is a change and not a draw. FAST_CHECK_SEED=n tries others.
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 2026) });
