import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['dist/**', 'models/**', 'var/**', 'coverage/**'] }),
  {
    rules: {
      'no-console': 'error',
      eqeqeq: ['error', 'always'],
      '@stylistic/max-len': ['error', { code: 175, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreComments: true, ignoreUrls: true }]
    }
  }
]
