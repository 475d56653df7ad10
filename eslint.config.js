import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['dist/**', 'models/**', 'var/**', 'coverage/**'] }),
  {
    rules: {
      'no-console': 'error',
      eqeqeq: ['error', 'always'],
      '@stylistic/max-len': ['warn', { code: 150, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreComments: true, ignoreUrls: true }]
    }
  }
]
