# fails: passports
# after: mend-the-forms.sh
kubectl set selector service passports app=passport
