"""SISa crowd: arousal as infection that people also catch on their own and recover from.

    I' = (a + b*s)*(1-I) - g*I        a spontaneous, b*s by what is seen, g recovery

Hill, Rand, Nowak, Christakis, "Emotions as infectious diseases in a large social network: the SISa model",
Proc. R. Soc. B 277 (2010) 3827, with the share of infected contacts replaced by the light seen and I read as
this visitor's continuous arousal. g + a = 1/tau at rest, a gives the resting drive, b = K*(g+a)/(1-rest): the
small-signal gain is K. (1-I) is the crowd's own ceiling: it bends over where OU clips.
"""

from pulseweave.sim.visitors.crowd import Crowd


class SISa(Crowd):
    """In and out: see Crowd."""

    def rate(self, x, drive, seen, gain):
        # (a + b*s)(1-x) - g*x with a = drive/tau, g = (1-rest)/tau, b = K/(tau*(1-rest))
        rest = self.base
        return ((drive + gain * seen / (1 - rest)) * (1 - x) - (1 - rest) * x) / self.tau
