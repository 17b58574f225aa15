import { describeMethods } from '../../../support/method-behaviour.ts'

describeMethods('cnn')
