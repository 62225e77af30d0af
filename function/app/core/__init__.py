"""What every part of the API needs: settings, logging, errors, AWS clients."""
