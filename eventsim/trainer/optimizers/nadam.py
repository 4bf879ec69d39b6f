"""NAdam, in place, one pass over memory."""

from eventsim.trainer.optimizers.adam import Adam


class NAdam(Adam):
    """Adam with Nesterov momentum, as slayerPytorch has it (``src/optimizer.py``).

    A weight follows beta1 mean + (1 - beta1) gradient, the mean being updated already. All of it is over
    1 - beta1^step, and epsilon stands beside the root of the mean square before that is corrected. (Dozat 2016 has the
    mean over 1 - beta1^(step + 1).)
    """

    def _settings(self, rate, decayed):
        return super()._settings(
            rate, decayed, epsilon=self.epsilon * self._root(), of_mean=self.beta1, of_gradient=1.0 - self.beta1
        )
