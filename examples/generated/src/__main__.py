"""convert AMOUNT FROM TO"""

import sys

from units import METRES

amount, source, target = sys.argv[1:]
print(f"{amount} {source} = {float(amount) * METRES[source] / METRES[target]:.3f} {target}")
