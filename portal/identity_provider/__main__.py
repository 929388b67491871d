import sys

from portal.identity_provider.server import main

if __name__ == "__main__":
    sys.exit(main())
