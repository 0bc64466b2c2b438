// The house rules of ARCHITECTURE.md, "Layers": a file in server/ imports its own folder or a strictly lower layer,
// types included; server/ never sees src/; in src/ features never see each other.
const layers = [
  ['base'],
  ['memory', 'formats'],
  ['config', 'net', 'values'],
  ['keyspace'],
  ['commands'],
  ['persistence', 'replication', 'sentinel', 'scripting'],
  ['runtime'],
];

const layerRules = layers.flatMap((folders, level) =>
  folders.map((folder) => ({
    name: `server-layer-${level}-${folder}`,
    comment: `server/${folder} (layer ${level}) imports only itself and lower layers`,
    severity: 'error',
    from: { path: `^server/${folder}/` },
    to: {
      path: '^server/',
      pathNot: [
        `^server/${folder}/`,
        ...layers.slice(0, level).flatMap((lower) => lower.map((name) => `^server/${name}/`)),
      ],
    },
  })),
);

const features = ['install', 'service', 'setup', 'cli', 'benchmark', 'check'];

const featureRules = features.map((feature) => ({
  name: `src-feature-${feature}`,
  comment: `src/${feature} imports itself, render, host and errors, never another feature`,
  severity: 'error',
  from: { path: `^src/${feature}/` },
  to: { path: '^src/', pathNot: [`^src/${feature}/`, '^src/render/', '^src/host/', '^src/errors\\.ts$'] },
}));

/** Only files under `home` may import the npm package `name`. */
const only = (name, home) => ({
  name: `only-${name}`,
  comment: `${name} is used in ${home} alone`,
  severity: 'error',
  from: { path: '^(src|server)/', pathNot: home },
  to: { path: `^node_modules/${name}/` },
});

module.exports = {
  forbidden: [
    ...layerRules,
    ...featureRules,
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        path: '^(src|server)/',
        pathNot: ['\\.d\\.ts$', '^src/(bin|launch)/', '^server/main\\.ts$'],
      },
      to: {},
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'server-needs-node-only',
      comment: 'The server runs on node: builtins alone.',
      severity: 'error',
      from: { path: '^server/', pathNot: '^server/scripting/' },
      to: { dependencyTypesNot: ['core', 'local', 'type-only', 'aliased'], pathNot: '^server/' },
    },
    {
      name: 'server-never-imports-src',
      severity: 'error',
      from: { path: '^server/' },
      to: { path: '^src/' },
    },
    {
      name: 'src-sees-little-of-the-server',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(bin|subcommands)/' },
      to: {
        path: '^server/',
        pathNot: ['^server/(base|formats|config)/', '^server/net/client\\.ts$', '^server/commands/docs\\.ts$'],
      },
    },
    {
      name: 'host-and-render-are-leaves',
      severity: 'error',
      from: { path: '^src/(host|render)/' },
      to: { path: '^src/', pathNot: ['^src/(host|render)/', '^src/errors\\.ts$'] },
    },
    {
      name: 'errors-is-a-leaf',
      severity: 'error',
      from: { path: '^src/errors\\.ts$' },
      to: { path: '^src/' },
    },
    only('execa', '^src/host/run\\.ts$'),
    only('zx', '^src/install/'),
    only('inquirer', '^src/setup/'),
    only('ejs', '^src/render/'),
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'] },
  },
};
