// What scripts/lint.sh finds fault with, in all JavaScript of this repository.
import js from '@eslint/js';
import globals from 'globals';

export default [
	js.configs.recommended,
	{
		languageOptions: { globals: globals.node },
		linterOptions: { reportUnusedDisableDirectives: 'error' },
		rules: {
			'array-callback-return': 'error',
			curly: 'error',
			eqeqeq: 'error',
			'no-implicit-coercion': 'error',
			'no-self-compare': 'error',
			'no-throw-literal': 'error',
			'no-unused-expressions': ['error', { allowShortCircuit: true, allowTernary: true }],
			'no-unused-vars': ['error', { ignoreRestSiblings: true }], // { CPU, ...rest } leaves CPU out
			'no-var': 'error',
			'object-shorthand': 'error',
			'prefer-const': ['error', { destructuring: 'all' }],
			'prefer-promise-reject-errors': 'error',
		},
	},
	{ files: ['**/page/**'], languageOptions: { globals: globals.browser } },
	// Functions that a test has a page evaluate.
	{ files: ['node-harness/browser/**'], languageOptions: { globals: { window: 'readonly' } } },
	{ files: ['node-harness/monitor/*.test.js'], languageOptions: { globals: globals.browser } },
];
